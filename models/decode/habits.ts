/** How each family prepares its images, by its published inference code. */
import type { InputHabits } from "./head.ts";

const ZERO = [0, 0, 0];
const BYTE = [255, 255, 255];

/** Ultralytics, YOLOv5/v6/v7: RGB in 0…1, letterboxed on grey. */
export const ULTRALYTICS: InputHabits = {
  order: "rgb",
  mean: ZERO,
  std: BYTE,
  fit: "letterbox",
  padValue: 114,
};

/** YOLOX since 0.3: BGR in 0…255, grey below and to the right. */
export const YOLOX: InputHabits = {
  order: "bgr",
  mean: ZERO,
  std: [1, 1, 1],
  fit: "pad",
  padValue: 114,
};

export const FASTESTDET: InputHabits = {
  order: "bgr",
  mean: ZERO,
  std: BYTE,
  fit: "stretch",
  padValue: 114,
};

/** RGB with the mean and deviation of ImageNet's photos. */
export const IMAGENET: InputHabits = {
  order: "rgb",
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
  fit: "stretch",
  padValue: 114,
};

/** NanoDet: the numbers of ImageNet in BGR order. */
export const NANODET: InputHabits = {
  order: "bgr",
  mean: [103.53, 116.28, 123.675],
  std: [57.375, 57.12, 58.395],
  fit: "stretch",
  padValue: 114,
};

/** RT-DETR, D-FINE, DEIM: RGB in 0…1, stretched. */
export const REAL_TIME_DETR: InputHabits = {
  order: "rgb",
  mean: ZERO,
  std: BYTE,
  fit: "stretch",
  padValue: 114,
};

/** torchvision normalises inside the network. */
export const TORCHVISION: InputHabits = {
  order: "rgb",
  mean: ZERO,
  std: BYTE,
  fit: "pad",
  padValue: 0,
};
