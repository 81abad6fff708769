/** What Streamlit calls: its own page says that it is in English. */
export default function languageTagComponent({ data }) {
  document.documentElement.lang = data.language;
}
