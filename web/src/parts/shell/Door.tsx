// What stands in the page's place when the gateway does not know the browser.
import { tryAgain, type Session } from "../../api/session";
import { Button } from "../Button";
import { Copy } from "../Copy";

const command = "gatehouse open";

export function Door({ session }: { session: Exclude<Session, "in"> }) {
  return (
    <main className="grid h-dvh place-items-center bg-ground p-6">
      <div className="w-full max-w-md rounded-lg border border-line bg-panel p-6">
        <h1 className="mb-3 flex items-center gap-2 text-lg font-semibold">
          <img src="/favicon.svg" alt="" width="20" height="20" />
          {session === "stale" ? "This link no longer works" : "Log in to Gatehouse"}
        </h1>
        <p className="mb-4 text-muted">
          {session === "stale"
            ? "A link works once, and only for a short while. For a new one, run this on the machine that the gateway runs on:"
            : "The console shows what your agents said, so it lets in only who holds a link from the gateway. Run this on the machine that it runs on:"}
        </p>
        <p className="mono mb-4 flex items-center justify-between rounded border border-line bg-ground px-3 py-2">
          {command}
          <Copy text={command} what="the command" />
        </p>
        <p className="mb-4 text-muted">It prints a new link. Open it in this browser; nothing else needs to be typed.</p>
        <Button onClick={() => void tryAgain()}>I have opened it: try again</Button>
      </div>
    </main>
  );
}
