import { Empty } from "../../parts/Note";

export function Search() {
  return <Empty title="Search">This page is being built.</Empty>;
}
