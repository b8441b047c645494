/**
 * Words for messages: {@link io.peft4j.core.error.support.Count} for numbers of things, {@link
 * io.peft4j.core.error.support.SimilarNames} for names that do not exist, {@link io.peft4j.core.error.support.Causes}
 * for what lies behind an error.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.error.support;
