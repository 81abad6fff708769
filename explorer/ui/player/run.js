import { received } from "../received.js";
import { dropRun, keepRun } from "./runs.js";

/** What Streamlit calls for an element that shows nothing and holds a run. */
export default function runComponent({ data, parentElement }) {
  keepRun(parentElement, received(data));
  return () => dropRun(parentElement);
}
