import { describe, expect, test } from "vitest";
import { ERRORS } from "../../../pipeline/index.ts";
import {
  PROBLEM_CODES,
  RequestError,
  SERVICE_ERRORS,
  type ServiceErrorCode,
  toProblem,
} from "../../../web/server/problem.ts";

describe("problem documents", () => {
  test.each(PROBLEM_CODES.map((code) => [code] as const))(
    "%s has its status and meaning",
    (code) => {
      const service = SERVICE_ERRORS[code as ServiceErrorCode];
      const entry = service ?? ERRORS[code as keyof typeof ERRORS];
      const error =
        service === undefined
          ? Object.assign(new Error("/srv/data/jobs/7/upload/a.tif: must be x, received y"), {
              code,
            })
          : new RequestError(code as ServiceErrorCode, "/srv/data/jobs/7/upload/a.tif: must be x");
      const problem = toProblem(error, ["/srv/data"]);
      expect(problem).toMatchObject({
        type: `urn:nadir:error:${code}`,
        title: entry.meaning,
        status: entry.http,
        code,
      });
      expect(JSON.stringify(problem)).not.toMatch(/srv|at .*\.ts/);
    },
  );

  test("a mistake of ours tells nothing of itself", () => {
    const problem = toProblem(new TypeError("x is not a function in /srv/secret"));
    expect([problem.status, problem.code]).toEqual([500, "ERR_INTERNAL"]);
    expect(problem.detail).toBe("the server failed; its log says where");
  });

  test("what the framework refuses keeps its status", () => {
    const refused = (statusCode: number) =>
      toProblem(Object.assign(new Error("no"), { statusCode }));
    expect([413, 415, 429, 431].map((status) => refused(status).code)).toEqual([
      "ERR_TOO_LARGE",
      "ERR_MEDIA_TYPE",
      "ERR_RATE",
      "ERR_REQUEST",
    ]);
  });
});
