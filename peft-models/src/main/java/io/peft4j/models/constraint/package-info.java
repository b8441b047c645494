/**
 * What the text of an answer may be. Open {@link io.peft4j.models.constraint.TextConstraints} first: regular
 * expressions, JSON schemas and choices as automata that generation follows.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.constraint;
