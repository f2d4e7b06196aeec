import { Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useSession } from "../../api/session";
import { IconButton } from "../Button";
import { Icon } from "../Icon";
import { pressed, useKeys } from "../keys";
import { nextTheme, useTheme } from "../theme";
import { NamesSwitch } from "../Who";
import { Badges, Connection } from "./Badges";
import { Door } from "./Door";
import { FilterBox } from "./FilterBox";
import { Keys } from "./Keys";
import { Nav, places } from "./Nav";
import { Palette } from "./Palette";
import { Why } from "./Why";

export function Shell() {
  const session = useSession();
  useEffect(() => {
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
  return session === "in" ? <Inside /> : <Door session={session} />;
}

function Inside() {
  const [open, setOpen] = useState<"palette" | "keys" | "">("");
  const title = useTitle();
  useKeys("Everywhere", [
    { keys: "mod+k", does: "go to anything", run: () => setOpen("palette") },
    { keys: "?", does: "these keys", run: () => setOpen("keys") },
    { keys: "t", does: "theme: system, light, dark", run: nextTheme },
  ]);
  return (
    <div className="grid h-dvh grid-cols-[auto_minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)]">
      <a href="#page" className="sr-only z-30 rounded bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:absolute">
        Skip to the page
      </a>
      <Nav />
      <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-0.5 border-b border-line bg-panel px-3 max-md:gap-x-1 max-md:px-2 max-md:py-1">
        <FilterBox />
        <Connection />
        <Badges />
        <Why />
        <div className="flex">
          <NamesSwitch />
          <ThemeSwitch />
          <IconButton name="Keys" onClick={() => setOpen("keys")}>
            <Icon name="keyboard" />
          </IconButton>
        </div>
      </header>
      <main id="page" tabIndex={-1} className="min-h-0 min-w-0 overflow-auto outline-none">
        <h1 className="sr-only">{title}</h1>
        <Outlet />
      </main>
      {open === "palette" && <Palette onClose={() => setOpen("")} onKeys={() => setOpen("keys")} />}
      {open === "keys" && <Keys onClose={() => setOpen("")} />}
    </div>
  );
}

function ThemeSwitch() {
  const theme = useTheme();
  const name = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" }[theme];
  return (
    <IconButton name={name} onClick={nextTheme}>
      <Icon name={({ auto: "auto", light: "sun", dark: "moon" } as const)[theme]} />
    </IconButton>
  );
}

/** The page's name, which the tab says, too. */
function useTitle(): string {
  const path = useRouterState({ select: (s) => s.location.pathname });
  const place = places.find((p) => path === p.to || path.startsWith(`${p.to}/`));
  const title = place?.name ?? (path.startsWith("/flows/") ? "Flow" : "No such page");
  useEffect(() => {
    document.title = `${title} · Gatehouse`;
  }, [title]);
  return title;
}
