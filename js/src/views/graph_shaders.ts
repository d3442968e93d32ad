// An edge is a strip of triangles along its curve. Each instance is one edge: where it starts, where it ends, and its
// strength; the vertices of the strip are counted off, so that nothing else needs to be sent.

import { CURVE_GLSL } from "../core/graph_curve.ts";
import { SHADES } from "./graph_edges.ts";

export const VERTEX = `#version 300 es
layout(location = 0) in vec3 edge;
uniform vec4 course;
uniform vec2 camera, size, widths, opacities;
uniform float ratio, segments, gamma, levels;
uniform sampler2D colors;
out vec4 ink;
out float across, along;
flat out float reach;
${CURVE_GLSL}

vec2 placeAt(float t, vec2 y) {
  return vec2(mix(course.x, course.y, t), curveY(t, y.x, y.y, course.z, course.w));
}

void main() {
  float t = float(gl_VertexID >> 1) / segments;
  float side = float(gl_VertexID & 1) * 2.0 - 1.0;
  vec2 y = edge.xy * camera.x + camera.y;
  vec2 direction = normalize(placeAt(t + 0.005, y) - placeAt(t - 0.005, y));
  bool marked = abs(edge.z) > 1.0;
  float strength = min(abs(edge.z), 1.0);
  float width = marked ? 1.4 : mix(widths.x, widths.y, strength);
  // Half the width in device pixels, and a pixel's half more for the soft rim.
  reach = width * ratio / 2.0;
  across = side * (reach + 0.5);
  along = (course.y - course.x) * t;
  vec2 at = placeAt(t, y) + vec2(-direction.y, direction.x) * across / ratio;
  gl_Position = vec4(at.x / size.x * 2.0 - 1.0, 1.0 - at.y / size.y * 2.0, 0.0, 1.0);
  float shade = pow(strength, gamma);
  float code = (levels - 1.0) * (0.5 + 0.5 * sign(edge.z) * mix(${SHADES[0]}, ${SHADES[1]}, shade));
  float mark = levels + (edge.z < 0.0 ? 0.0 : edge.z < 2.5 ? 1.0 : 2.0);
  vec3 color = texelFetch(colors, ivec2(int(marked ? mark : code + 0.5), 0), 0).rgb;
  ink = vec4(color, marked ? 0.95 : mix(opacities.x, opacities.y, shade));
  if (!marked) along = -1.0;
}
`;

export const FRAGMENT = `#version 300 es
precision highp float;
in vec4 ink;
in float across, along;
flat in float reach;
out vec4 pixel;

void main() {
  // What is no number is dashed.
  if (along >= 0.0 && fract(along / 9.0) > 0.6) discard;
  float cover = clamp(reach + 0.5 - abs(across), 0.0, 1.0);
  pixel = vec4(ink.rgb, 1.0) * ink.a * cover;
}
`;
