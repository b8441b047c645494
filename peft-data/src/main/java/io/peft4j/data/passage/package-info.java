/**
 * Texts of which those that match a question are found: open {@link io.peft4j.data.passage.PassageIndex} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.passage;
