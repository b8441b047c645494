/**
 * What cleaning and reports know about texts. {@link io.peft4j.data.clean.internal.EmptyAnswers} tells refusals.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.clean.internal;
