/**
 * Text as shapes: five by seven dots a character, so that a picture looks the same on every machine, also on one
 * without any font.
 */

/** From the space on: five columns a character, the lowest bit on top. */
// oxfmt-ignore
const COLUMNS =
  "0000000000" + "00005f0000" + "0007000700" + "147f147f14" + "242a7f2a12" + "2313086462" + // space ! " # $ %
  "3649552250" + "0005030000" + "001c224100" + "0041221c00" + "14083e0814" + "08083e0808" + // & ' ( ) * +
  "0050300000" + "0808080808" + "0060600000" + "2010080402" + "3e5149453e" + "00427f4000" + // , - . / 0 1
  "4261514946" + "2141454b31" + "1814127f10" + "2745454539" + "3c4a494930" + "0171090503" + // 2 3 4 5 6 7
  "3649494936" + "064949291e" + "0036360000" + "0056360000" + "0814224100" + "1414141414" + // 8 9 : ; < =
  "0041221408" + "0201510906" + "324979413e" + "7e1111117e" + "7f49494936" + "3e41414122" + // > ? @ A B C
  "7f4141221c" + "7f49494941" + "7f09090901" + "3e4149497a" + "7f0808087f" + "00417f4100" + // D E F G H I
  "2040413f01" + "7f08142241" + "7f40404040" + "7f020c027f" + "7f0408107f" + "3e4141413e" + // J K L M N O
  "7f09090906" + "3e4151215e" + "7f09192946" + "4649494931" + "01017f0101" + "3f4040403f" + // P Q R S T U
  "1f2040201f" + "3f4038403f" + "6314081463" + "0708700807" + "6151494543" + "007f414100" + // V W X Y Z [
  "0204081020" + "0041417f00" + "0402010204" + "4040404040" + "0001020400" + "2054545478" + // \ ] ^ _ ` a
  "7f48444438" + "3844444420" + "384444487f" + "3854545418" + "087e090102" + "0c5252523e" + // b c d e f g
  "7f08040478" + "00447d4000" + "2040443d00" + "7f10284400" + "00417f4000" + "7c04180478" + // h i j k l m
  "7c08040478" + "3844444438" + "7c14141408" + "081414187c" + "7c08040408" + "4854545420" + // n o p q r s
  "043f444020" + "3c4040207c" + "1c2040201c" + "3c4030403c" + "4428102844" + "0c5050503c" + // t u v w x y
  "4464544c44" + "0008364100" + "00007f0000" + "0041360800" + "1008081008"; // z { | } ~

const FIRST = 0x20;
const LAST = 0x7e;

/** Dots from one character to the next. */
const ADVANCE = 6;
/** Dots from the top of a character to its base. */
export const HEIGHT = 7;

/** Dots that a text is wide. */
export function textWidth(text: string): number {
  return Math.max(0, Array.from(text).length * ADVANCE - 1);
}

/** An SVG path of the text with its top left dot at `(x, y)`; what the font does not know becomes `?`. */
export function textPath(text: string, x: number, y: number, dotPx: number): string {
  const glyphs = Array.from(text, (character, i) =>
    glyph(character, x + i * ADVANCE * dotPx, y, dotPx),
  );
  return glyphs.join("");
}

function glyph(character: string, x: number, y: number, dotPx: number): string {
  const code = character.codePointAt(0) ?? 0;
  const at = 10 * ((code >= FIRST && code <= LAST ? code : 0x3f) - FIRST);
  let path = "";
  for (let column = 0; column < 5; column++) {
    const bits = Number.parseInt(COLUMNS.slice(at + 2 * column, at + 2 * column + 2), 16);
    for (let row = 0; row < HEIGHT; row++) {
      if ((bits & (1 << row)) === 0) continue;
      path += `M${x + column * dotPx} ${y + row * dotPx}h${dotPx}v${dotPx}h-${dotPx}z`;
    }
  }
  return path;
}
