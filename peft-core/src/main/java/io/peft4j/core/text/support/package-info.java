/** How much text is worth encoding: {@link io.peft4j.core.text.support.TokenBound}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.text.support;
