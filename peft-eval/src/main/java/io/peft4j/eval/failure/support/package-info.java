/** Failures as files to work on: {@link io.peft4j.eval.failure.support.FailureFiles}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.failure.support;
