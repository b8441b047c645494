/** Threads for work beside what an engine computes. Open {@link io.peft4j.core.engine.support.TurnExecutor}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.engine.support;
