/** The version in package.json; a test holds them together. A constant, so that a browser knows it too. */
export const VERSION = "0.1.0";
