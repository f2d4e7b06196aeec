import { Empty } from "../../parts/Note";

export function Decisions() {
  return <Empty title="Decisions">This page is being built.</Empty>;
}
