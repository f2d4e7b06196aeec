import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/client";
import { login, takeToken } from "./api/session";
import { applyTheme } from "./parts/theme";
import { router } from "./router";
import "./styles/app.css";

applyTheme();

const client = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always", // a machine without a network still has its own gateway
      retry: (n, e) => n < 2 && e instanceof Problem && (e.status === 0 || e.status >= 502),
    },
  },
});

// A new binary has other files: a page that was open asks for ones that are gone.
window.addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem("gatehouse.reloaded"));
  if (Date.now() - last < 30_000) return;
  sessionStorage.setItem("gatehouse.reloaded", String(Date.now()));
  location.reload();
});

/** Logs in with the token of a link, if there is one, before anything is asked. */
async function enter() {
  const token = takeToken(location, history);
  if (token !== undefined) await login(token);
}

window.addEventListener("hashchange", () => void enter());

await enter();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
