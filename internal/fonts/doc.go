// Package fonts finds, among the fonts of the system, one that has the glyphs of a text, such as Korean, Japanese or
// Chinese. Letters are placed side by side as they come: scripts whose letters join or move, such as Arabic and
// Devanagari, are drawn unjoined.
package fonts
