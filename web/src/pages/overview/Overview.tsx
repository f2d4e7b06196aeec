import { Empty } from "../../parts/Note";

export function Overview() {
  return <Empty title="Overview">This page is being built.</Empty>;
}
