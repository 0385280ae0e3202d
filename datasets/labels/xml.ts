/** As much XML as annotation files use: elements with text or elements inside. Attributes are read over. */
import { LabelsError } from "./labels.ts";

export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface OpenElement {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

/** The root element. @throws {LabelsError} for elements that are not closed, or not opened */
export function parseXml(text: string, source: string): XmlElement {
  const document: OpenElement = { name: "", text: "", children: [] };
  const open = [document];
  const pieces = text.matchAll(/<!--[^]*?-->|<[?!][^>]*>|<(\/?)([^\s/>]+)[^>]*?(\/?)>|([^<]+)/g);
  for (const [, closing, name, selfClosing, content] of pieces) {
    const inner = open.at(-1) ?? document;
    if (content !== undefined) inner.text += content;
    else if (name === undefined) continue;
    else if (closing === "/") {
      if (inner.name !== name) {
        throw new LabelsError(
          `${source}: </${name}> must close an element of that name, received it inside <${inner.name}>`,
        );
      }
      open.pop();
    } else {
      const element: OpenElement = { name, text: "", children: [] };
      inner.children.push(element);
      if (selfClosing !== "/") open.push(element);
    }
  }
  const [root] = document.children;
  if (root === undefined || open.length > 1) {
    throw new LabelsError(
      `${source}: must be a whole XML document, received ${root === undefined ? "none" : `one that ends inside <${open.at(-1)?.name}>`}`,
    );
  }
  return root;
}

export function childrenNamed(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((inner) => inner.name === name);
}

/** Text of the first child of that name, trimmed. */
export function textOf(element: XmlElement, name: string): string | undefined {
  const [inner] = childrenNamed(element, name);
  return inner && unescapeXml(inner.text.trim());
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

function unescapeXml(text: string): string {
  return text.replaceAll(/&(#x?[0-9a-f]+|\w+);/gi, (whole, name: string) => {
    if (name.startsWith("#x")) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number(name.slice(1)));
    return (
      Object.entries({ ...ENTITIES, "'": "&apos;" }).find(([, entity]) => entity === whole)?.[0] ??
      whole
    );
  });
}
