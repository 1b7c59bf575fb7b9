/** A module beside the entry. */
export const factor = 3;
