// A session as one file: the data stands in the page, and nothing is asked for.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { File, type Data } from "./File";
import "./offline.css";

const data = JSON.parse(document.getElementById("data")?.textContent ?? "") as Data;

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <File data={data} />
  </StrictMode>,
);
