/** The input is no scene, or its bytes cannot be read. */
export class SceneError extends Error {
  override readonly name = "SceneError";
  readonly code = "ERR_SCENE";
}
