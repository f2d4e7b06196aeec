import { Empty } from "../../parts/Note";

export function Live() {
  return <Empty title="Live">This page is being built.</Empty>;
}
