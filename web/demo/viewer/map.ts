/** The map: MapLibre without a base map; the scene's picture is laid on the Earth by its mesh. */
import {
  type GeoJSONSource,
  Map as MapView,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import type { FoundObject } from "../../../pipeline/index.ts";
import type { Mesh, SceneOpened, TileDone } from "../messages.ts";
import type { Drawn, Viewer } from "./viewer.ts";

setWorkerUrl(workerUrl);

type LonLat = [lon: number, lat: number];
type Feature = GeoJSON.Feature<GeoJSON.Polygon>;

const collection = (features: readonly Feature[]): GeoJSON.FeatureCollection => ({
  type: "FeatureCollection",
  features: [...features],
});
/** What is drawn over the picture, from below: source, colour and width of its lines. */
const LINES = [
  { source: "provisional", halo: false, width: 1.5, dash: [2, 1.5] },
  { source: "objects", halo: true, width: 1.75, dash: undefined },
  { source: "selected", halo: false, width: 4, dash: undefined },
  { source: "tile", halo: false, width: 2, dash: undefined },
] as const;

/** @throws where the browser has no WebGL, or the scene no mesh */
export async function createMapViewer(
  host: HTMLElement,
  scene: SceneOpened,
  onPick: (object: FoundObject | undefined) => void,
): Promise<Viewer> {
  const { mesh } = scene;
  if (mesh === undefined) throw new Error("the scene does not lie on the Earth");
  const map = new MapView({
    container: host,
    style: { version: 8, sources: {}, layers: [] },
    bounds: boundsOf(mesh.lonLat),
    fitBoundsOptions: { padding: 24 },
    attributionControl: false,
    maxPitch: 0,
    dragRotate: false,
    fadeDuration: 0,
    canvasContextAttributes: { preserveDrawingBuffer: false },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl(), "bottom-right");
  await map.once("load");
  try {
    layPicture(map, scene.picture, mesh);
    layLines(map);
  } catch (error) {
    map.remove(); // another scene has come meanwhile, and this one's picture is gone
    throw error;
  }

  let objects: readonly FoundObject[] = [];
  map.on("click", ({ point }) => {
    const around: [[number, number], [number, number]] = [
      [point.x - 3, point.y - 3],
      [point.x + 3, point.y + 3],
    ];
    const hits = map
      .queryRenderedFeatures(around, { layers: ["objects-fill"] })
      .flatMap(({ properties }) => objects[Number(properties["index"])] ?? []);
    onPick(hits.toSorted((a, b) => sizeOf(a) - sizeOf(b))[0]);
  });
  map.on("mouseenter", "objects-fill", () => (map.getCanvas().style.cursor = "pointer"));
  map.on("mouseleave", "objects-fill", () => (map.getCanvas().style.cursor = ""));

  const put = (source: string, features: readonly Feature[]): void =>
    void map.getSource<GeoJSONSource>(source)?.setData(collection(features));
  let before: Drawn | undefined;
  return {
    draw: (drawn) => {
      const { colours, selected, tile } = drawn;
      ({ objects } = drawn);
      if (drawn.objects !== before?.objects) put("objects", featuresOf(objects, colours));
      if (drawn.provisional !== before?.provisional) {
        put("provisional", featuresOf(drawn.provisional, colours));
      }
      if (selected !== before?.selected) {
        put("selected", featuresOf(selected === undefined ? [] : [selected], ["#ffffff"], 0));
      }
      if (tile !== before?.tile) {
        put("tile", tile === undefined ? [] : [tileFeature(tile, scene, mesh)]);
      }
      before = drawn;
    },
    goTo: ({ lonLat }) => {
      if (lonLat === undefined) return;
      const center: LonLat = [(lonLat[0]! + lonLat[4]!) / 2, (lonLat[1]! + lonLat[5]!) / 2];
      map.jumpTo({ center, zoom: Math.max(map.getZoom(), 18) });
    },
    close: () => map.remove(),
  };
}

/** Cuts the picture into the cells of the mesh; each becomes a quadrilateral of the map. */
function layPicture(map: MapView, picture: ImageBitmap, { cells, lonLat }: Mesh): void {
  const side = cells + 1;
  const point = (column: number, row: number): LonLat => {
    const i = 2 * (row * side + column);
    return [lonLat[i]!, lonLat[i + 1]!];
  };
  const [width, height] = [picture.width / cells, picture.height / cells];
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [Math.ceil(width), Math.ceil(height)];
      canvas
        .getContext("2d")
        ?.drawImage(
          picture,
          column * width,
          row * height,
          width,
          height,
          0,
          0,
          canvas.width,
          canvas.height,
        );
      const id = `picture-${row}-${column}`;
      map.addSource(id, {
        type: "canvas",
        canvas,
        animate: false,
        coordinates: [
          point(column, row),
          point(column + 1, row),
          point(column + 1, row + 1),
          point(column, row + 1),
        ],
      });
      map.addLayer({ id, type: "raster", source: id, paint: { "raster-fade-duration": 0 } });
    }
  }
}

function layLines(map: MapView): void {
  for (const { source, halo, width, dash } of LINES) {
    map.addSource(source, { type: "geojson", data: collection([]), tolerance: 0 });
    if (halo) {
      map.addLayer({
        id: `${source}-fill`,
        type: "fill",
        source,
        paint: { "fill-color": ["get", "colour"], "fill-opacity": 0.12 },
      });
      map.addLayer({
        id: `${source}-halo`,
        type: "line",
        source,
        paint: { "line-color": "#000", "line-opacity": 0.5, "line-width": width + 1.75 },
      });
    }
    map.addLayer({
      id: source,
      type: "line",
      source,
      paint: {
        "line-color": ["get", "colour"],
        "line-width": width,
        ...(dash && { "line-dasharray": [...dash] }),
      },
    });
  }
}

const featuresOf = (
  objects: readonly FoundObject[],
  colours: readonly string[],
  colourIndex?: number,
): readonly Feature[] =>
  objects.flatMap(({ lonLat, classIndex }, index) => {
    if (lonLat === undefined) return [];
    const colour = colours[colourIndex ?? classIndex] ?? "#888";
    const ring = [0, 2, 4, 6, 0].map((k): LonLat => [lonLat[k]!, lonLat[k + 1]!]);
    return [polygon(ring, { index, colour })];
  });

const polygon = (ring: LonLat[], properties: GeoJSON.GeoJsonProperties): Feature => ({
  type: "Feature",
  properties,
  geometry: { type: "Polygon", coordinates: [ring] },
});

function tileFeature(
  [left, top, right, bottom]: TileDone["bounds"],
  { width, height }: SceneOpened,
  mesh: Mesh,
): Feature {
  const at = (x: number, y: number): LonLat => pointOf(mesh, x / width, y / height);
  const ring = [at(left, top), at(right, top), at(right, bottom), at(left, bottom), at(left, top)];
  return polygon(ring, { colour: "#ffffff" });
}

/** A point of the scene, as shares of its width and height, by its cell of the mesh. */
export function pointOf({ cells, lonLat }: Mesh, u: number, v: number): LonLat {
  const cell = (share: number): number =>
    Math.min(cells - 1, Math.max(0, Math.floor(share * cells)));
  const [column, row] = [cell(u), cell(v)];
  const [fx, fy] = [u * cells - column, v * cells - row];
  const value = (dx: number, dy: number, k: number): number =>
    lonLat[2 * ((row + dy) * (cells + 1) + column + dx) + k]!;
  const along = (k: number): number =>
    (value(0, 0, k) * (1 - fx) + value(1, 0, k) * fx) * (1 - fy) +
    (value(0, 1, k) * (1 - fx) + value(1, 1, k) * fx) * fy;
  return [along(0), along(1)];
}

function boundsOf(lonLat: Float64Array): [LonLat, LonLat] {
  const of = (k: number): number[] => [...lonLat].filter((_, i) => i % 2 === k);
  return [
    [Math.min(...of(0)), Math.min(...of(1))],
    [Math.max(...of(0)), Math.max(...of(1))],
  ];
}

const sizeOf = ({ ground }: FoundObject): number => ground?.areaM2 ?? Infinity;
