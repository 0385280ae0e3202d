/** COCO detection JSON of one image, with scores; oriented boxes as `segmentation` and `corners`. */
import { cocoObject } from "../../datasets/index.ts";
import { provenance } from "./feature.ts";
import { labelOf } from "./label.ts";
import type { Encoder, OutputContext } from "./output.ts";
import { fileName } from "./output.ts";

const IMAGE_ID = 1;

export function coco(context: OutputContext): Encoder {
  const { scene, classes, gsdM } = context;
  const { source, width, height } = scene;
  let count = 0;
  return {
    begin: () => {
      const members = {
        info: {
          description: `Objects found in ${fileName(source)}`,
          nadir: provenance({ ...context, crs: "pixel" }),
        },
        images: [
          {
            id: IMAGE_ID,
            file_name: fileName(source),
            width,
            height,
            ...(gsdM !== undefined && { gsd_m: gsdM }),
          },
        ],
        categories: classes.map((name, i) => ({ id: i + 1, name })),
      };
      return `${JSON.stringify(members).slice(0, -1)},"annotations":[`;
    },
    write: (object) => {
      const separator = count++ === 0 ? "\n" : ",\n";
      const ids = { id: count, image_id: IMAGE_ID };
      return (
        separator +
        JSON.stringify({ ...ids, ...cocoObject(labelOf(object), object.classIndex + 1) })
      );
    },
    end: () => ["\n]}\n"],
  };
}
