import { useEffect, useState } from "react";
import { IconButton } from "./Button";
import { Icon, type IconName } from "./Icon";

/** Copies exactly what is captured, signs not drawn. */
export function Copy({ text, what, icon = "copy" }: { text: string; what: string; icon?: IconName }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setDone(true));
  return (
    <IconButton name={done ? `Copied ${what}` : `Copy ${what}`} onClick={copy} className="!h-5">
      <Icon name={done ? "check" : icon} size={13} className={done ? "text-pass" : ""} />
    </IconButton>
  );
}
