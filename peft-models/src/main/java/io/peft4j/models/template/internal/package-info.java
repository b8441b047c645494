/** Chat templates of checkpoints: {@link io.peft4j.models.template.internal.JinjaChatTemplate}. */
package io.peft4j.models.template.internal;
