/**
 * What goes wrong with the chat templates of checkpoints: {@link io.peft4j.models.template.ChatTemplateException}. The
 * templates themselves are {@link io.peft4j.models.template.internal.JinjaChatTemplate}, their language is
 * {@link io.peft4j.jinja.support}'s.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.template;
