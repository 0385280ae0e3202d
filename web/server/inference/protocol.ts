/** Messages of the Open Inference Protocol, version 2: their JSON part. */
import Type, { type TSchema } from "typebox";

/** Data of a tensor: row by row, flat or nested. */
export type JsonData = readonly (number | boolean | string | JsonData)[];

type Parameters = Readonly<Record<string, string | number | boolean>>;

export interface InferInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly parameters?: Parameters;
  /** Absent where the bytes follow the JSON. */
  readonly data?: JsonData;
}

export interface InferRequest {
  readonly id?: string;
  readonly parameters?: Parameters;
  readonly inputs: readonly InferInput[];
  readonly outputs?: readonly { readonly name: string; readonly parameters?: Parameters }[];
}

export interface InferOutput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters?: Parameters;
  readonly data?: JsonData;
}

export interface InferResponse {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly outputs: readonly InferOutput[];
}

const ParametersSchema = Type.Optional(
  Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
);
const Shape = Type.Array(Type.Integer({ minimum: 0 }), { maxItems: 8 });
const Datatype = Type.String({ pattern: "^(BOOL|U?INT(8|16|32|64)|FP(16|32|64)|BYTES)$" });

export const InferRequestSchema: TSchema = Type.Object({
  id: Type.Optional(Type.String()),
  parameters: ParametersSchema,
  inputs: Type.Array(
    Type.Object({
      name: Type.String(),
      shape: Shape,
      datatype: Datatype,
      parameters: ParametersSchema,
      data: Type.Optional(Type.Array(Type.Unknown())),
    }),
    { minItems: 1 },
  ),
  outputs: Type.Optional(
    Type.Array(Type.Object({ name: Type.String(), parameters: ParametersSchema })),
  ),
});

export const InferResponseSchema: TSchema = Type.Object({
  model_name: Type.String(),
  model_version: Type.String(),
  id: Type.Optional(Type.String()),
  outputs: Type.Array(
    Type.Object({
      name: Type.String(),
      datatype: Datatype,
      shape: Shape,
      parameters: ParametersSchema,
      data: Type.Optional(Type.Array(Type.Unknown())),
    }),
  ),
});

const Tensor = Type.Object({
  name: Type.String(),
  datatype: Datatype,
  shape: Type.Array(Type.Integer({ minimum: -1 })),
});

export const MetadataSchema: TSchema = Type.Object({
  name: Type.String(),
  versions: Type.Array(Type.String()),
  platform: Type.String(),
  inputs: Type.Array(Tensor),
  outputs: Type.Array(Tensor),
  parameters: Type.Optional(Type.Record(Type.String(), Type.String())),
});
