export const separator = ", ";
