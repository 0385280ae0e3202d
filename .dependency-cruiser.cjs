/** Which way imports point: docs and reasons in README.md, "Rooms". */
const above = {
  attention: "datasets|models|pipeline|web|cli",
  datasets: "attention|models|pipeline|web|cli",
  models: "pipeline|web|cli",
  pipeline: "web|cli",
  web: "cli",
};
const rooms = Object.keys(above);

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    ...Object.entries(above).map(([folder, higher]) => ({
      name: `${folder}-imports-down`,
      severity: "error",
      from: { path: `^${folder}/` },
      to: { path: `^(${higher})/` },
    })),
    ...rooms.map((folder) => ({
      name: `${folder}-through-its-index`,
      severity: "error",
      from: { pathNot: `^(${folder}|test)/` },
      to: { path: `^${folder}/`, pathNot: `^${folder}/(index|node|browser)\\.ts$` },
    })),
    {
      name: "product-never-imports-test",
      severity: "error",
      from: { pathNot: "^test/" },
      to: { path: "^test/" },
    },
    {
      name: "node-only-where-a-file-is-about-node",
      severity: "error",
      from: {
        path: "^(attention|datasets|models|pipeline|web/demo)/",
        pathNot: "(^|/)node(\\.ts|/|-)|-node\\.ts$",
      },
      to: { dependencyTypes: ["core"] },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    exclude: "(^|/)(node_modules|dist|out|coverage)/",
  },
};
