import { Empty } from "../../parts/Note";

export function Session() {
  return <Empty title="Session">This page is being built.</Empty>;
}
