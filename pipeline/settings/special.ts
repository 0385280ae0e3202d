/** The two settings that are more than a number, a word or a list. */
import type { MultiPolygon, Polygon } from "geojson";
import Type from "typebox";
import type { Field } from "./field.ts";

/** Least score by class name; `*` stands for every class that is not named. */
export type ScoreThresholds = Readonly<Record<string, number>> & { readonly "*": number };

/** The area of interest: longitude and latitude, WGS84. */
export type Area = Polygon | MultiPolygon;

const Score = Type.Number({ minimum: 0, maximum: 1 });

/** `0.3`, or `0.3,ship=0.5`; in JSON a number or `{ "*": 0.3, "ship": 0.5 }`. */
export const SCORE_FIELD: Field<ScoreThresholds> = {
  doc: "Least score of a detection, for all classes (0.3) or for one (ship=0.5).",
  group: "objects",
  stage: "tiles",
  fallback: { "*": 0.25 },
  aliases: ["conf"],
  schema: Type.Union([Score, Type.Record(Type.String({ minLength: 1 }), Score)]),
  must: "scores from 0 to 1, as 0.3 or ship=0.5",
  argument: "<score|class=score>",
  parse: (text) => {
    if (!text.includes(",") && !text.includes("=")) return text.trim() === "" ? text : Number(text);
    return Object.fromEntries(
      text.split(",").map((part) => {
        const at = part.lastIndexOf("=");
        return at < 0
          ? ["*", Number(part)]
          : [part.slice(0, at).trim(), Number(part.slice(at + 1))];
      }),
    );
  },
};

const Position = Type.Array(Type.Number(), { minItems: 2 });
const Rings = Type.Array(Type.Array(Position, { minItems: 4 }), { minItems: 1 });

/** A GeoJSON polygon; as text `west,south,east,north`. The command line reads files before it comes here. */
export const AREA_FIELD: Field<Area | undefined> = {
  doc: "Area of interest in longitude and latitude: a GeoJSON file, or west,south,east,north.",
  group: "pixels",
  stage: "tiles",
  fallback: undefined,
  schema: Type.Union([
    Type.Object({ type: Type.Literal("Polygon"), coordinates: Rings }),
    Type.Object({
      type: Type.Literal("MultiPolygon"),
      coordinates: Type.Array(Rings, { minItems: 1 }),
    }),
  ]),
  must: "a GeoJSON Polygon or MultiPolygon, or west,south,east,north in degrees",
  argument: "<file|box>",
  parse: (text) => {
    const sides = text.split(",").map(Number);
    const [west, south, east, north] = sides;
    if (sides.length !== 4 || sides.some((side) => !Number.isFinite(side))) return text;
    const ring = [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ];
    return { type: "Polygon", coordinates: [ring] };
  },
};
