import { Empty } from "../../parts/Note";

export function Flow() {
  return <Empty title="Flow">This page is being built.</Empty>;
}
