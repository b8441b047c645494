/**
 * Chat templates of checkpoints. Open {@link io.peft4j.models.template.JinjaChatTemplate}; the language itself is
 * {@link io.peft4j.jinja}'s.
 */
package io.peft4j.models.template;
