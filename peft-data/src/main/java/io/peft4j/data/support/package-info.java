/**
 * Rows that several modules of this library read and encode: open {@link io.peft4j.data.support.PromptRows} first.
 * {@link io.peft4j.data.support.DecisionData} reads typed questions from all kinds of rows that have them.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.support;
