import { Empty } from "../../parts/Note";

export function Setup() {
  return <Empty title="Set-up">This page is being built.</Empty>;
}
