import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Problem } from "../../api/client";
import { conversation, sessions, type Asked } from "../../api/queries";
import { usualWhy, why } from "../../api/why";
import { Empty, Failed, Waiting } from "../../parts/Note";
import { Line } from "../../parts/Captured";
import { Who } from "../../parts/Who";
import { useState } from "react";
import { only } from "./only";
import { Room } from "./Room";

const route = getRouteApi("/sessions/$session");
const aWindow = 200; // flows


export function Session() {
  const { session } = route.useParams();
  const { principal } = route.useSearch();
  return <Of key={`${session} ${principal}`} session={session} principal={principal} />;
}

function Of({ session, principal }: { session: string; principal: string | undefined }) {
  const known = useQuery(sessions(only(session, principal), 20));
  const { flow } = route.useSearch();
  const [wanted] = useState(flow); // later ones are gone to, not read from
  const [start, setStart] = useState<Asked>();
  if (known.isPending) return <Waiting what="the session" />;
  if (known.isLoadingError) return <Failed error={known.error} again={() => void known.refetch()} />;
  if (known.data.length > 1) return <Whose session={session} principals={known.data.map((s) => s.principal)} />;
  const [about] = known.data;
  if (!about) {
    return (
      <Empty title="There is no such session">
        <p>
          No flow of <Line text={session} /> is in this data folder. It may be of another one, or was removed by age or size.
        </p>
        <p>
          <Link to="/sessions" className="underline">
            All sessions
          </Link>
        </p>
      </Empty>
    );
  }
  // A flow that the first window may not hold is read from there.
  const asked = start ?? (wanted !== undefined && about.flows > aWindow ? { from: wanted } : {});
  return <Windows session={session} about={about} asked={{ principal: about.principal, ...asked }} onStart={setStart} />;
}

type WindowsProps = { session: string; about: Parameters<typeof Room>[0]["about"]; asked: Asked; onStart(asked: Asked): void };

function Windows({ session, about, asked, onStart }: WindowsProps) {
  const client = useQueryClient();
  const query = conversation(session, asked, why() || usualWhy);
  const windows = useInfiniteQuery(query);
  if (windows.isPending) return <Waiting what="the conversation" />;
  if (windows.isError && !windows.data) {
    return (
      <>
        <Failed error={windows.error} again={() => void windows.refetch()} />
        {asked.from && windows.error instanceof Problem && windows.error.status === 404 && (
          <p className="px-4">
            The flow <Line text={asked.from} className="mono" /> is not of this session, or was removed.{" "}
            <button type="button" className="underline" onClick={() => onStart({})}>
              Read from the session's beginning
            </button>
          </p>
        )}
      </>
    );
  }
  return (
    <Room
      about={about}
      latest={asked.end === 1}
      windows={windows.data.pages}
      error={windows.error}
      busy={windows.isFetching}
      before={windows.hasPreviousPage}
      after={windows.hasNextPage}
      onBefore={() => void windows.fetchPreviousPage()}
      onAfter={() => void windows.fetchNextPage()}
      onStart={(next) => {
        client.removeQueries({ queryKey: query.queryKey });
        onStart(next);
      }}
    />
  );
}

function Whose({ session, principals }: { session: string; principals: string[] }) {
  return (
    <Empty title="Several have a session of this name">
      <p>A session's id is its agent's; only with who acts it is one. Whose do you mean?</p>
      <ul>
        {principals.map((p) => (
          <li key={p}>
            <Link to="/sessions/$session" params={{ session }} search={{ principal: p }} className="flex h-8 items-center underline">
              <Who principal={p} />
            </Link>
          </li>
        ))}
      </ul>
    </Empty>
  );
}
