/** Chat templates of checkpoints: {@link io.peft4j.models.template.internal.JinjaChatTemplate}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.template.internal;
