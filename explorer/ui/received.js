/** A component's data as Python encoded it. */
export const received = (data) => JSON.parse(new TextDecoder().decode(data));
