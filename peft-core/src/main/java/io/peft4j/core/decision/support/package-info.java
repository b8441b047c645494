/** How decisions are written in prompts: {@link io.peft4j.core.decision.support.PythonJson}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.decision.support;
