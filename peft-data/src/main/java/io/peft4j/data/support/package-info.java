/** Rows that several modules of this library read and encode: open {@link io.peft4j.data.support.PromptRows} first. */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.support;
