/**
 * What cleaning and reports know about texts. {@link io.peft4j.data.clean.internal.EmptyAnswers} tells refusals.
 */
package io.peft4j.data.clean.internal;
