/** What free answers are judged by, besides their texts: {@link io.peft4j.eval.task.internal.RefusalDetector}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.task.internal;
