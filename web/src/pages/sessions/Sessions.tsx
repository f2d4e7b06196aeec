import { Empty } from "../../parts/Note";

export function Sessions() {
  return <Empty title="Sessions">This page is being built.</Empty>;
}
