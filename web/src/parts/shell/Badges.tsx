import { useQuery } from "@tanstack/react-query";
import { status } from "../../api/queries";
import { Badge, type Tone } from "../Badge";
import { useLink, useNow } from "../link";

const modes: Record<string, { tone: Tone; text: string; says: string }> = {
  observe: { tone: "plain", text: "observe", says: "Everything passes; nothing is judged." },
  report: { tone: "warn", text: "report only", says: "Everything passes; what enforcing would have done is on record." },
  enforce: { tone: "good", text: "enforcing", says: "The policy's verdicts hold." },
};

/** The mode of the policy in force, and whose hands the record is in. */
export function Badges() {
  const { data } = useQuery(status);
  if (!data) return null;
  const mode = modes[data.policy.mode] ?? { tone: "bad" as const, text: "no policy", says: "Nothing passes: no policy is in force." };
  return (
    <>
      <Badge tone={data.policy.error ? "bad" : mode.tone} title={data.policy.error ?? `${mode.says} Policy ${data.policy.version}${data.policy.file ? `, ${data.policy.file}` : ", built in"}.`}>
        {mode.text}
      </Badge>
      <Badge
        title={
          data.custody === "same-user"
            ? "Gateway and ledger run as the user whom they watch: who is that user can change the record's files. The chain shows it."
            : "Gateway and ledger run as a user of their own."
        }
      >
        {data.custody === "same-user" ? "same user" : "own user"}
      </Badge>
    </>
  );
}

/** Whether the gateway answers, and when it is asked again if not. */
export function Connection() {
  const link = useLink();
  const { isError, errorUpdatedAt, isSuccess } = useQuery(status);
  const now = useNow();
  const until = link?.state === "lost" ? link.until : isError ? errorUpdatedAt + 3_000 : undefined;
  if (until !== undefined) {
    return (
      <span role="status" className="text-block">
        connection lost, trying again in {Math.max(0, Math.ceil((until - now) / 1_000))} s
      </span>
    );
  }
  const text = link?.state === "live" ? "live" : link?.state === "connecting" || !isSuccess ? "connecting" : "connected";
  return (
    <span role="status" className="flex items-center gap-1.5 text-muted">
      <span aria-hidden="true" className={`size-1.5 rounded-full ${text === "connecting" ? "animate-pulse bg-ask" : "bg-pass"}`} />
      {text}
    </span>
  );
}
