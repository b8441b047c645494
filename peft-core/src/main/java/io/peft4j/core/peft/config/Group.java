package io.peft4j.core.peft.config;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a component of a configuration record that is a record itself, whose keys stand in
 * {@code adapter_config.json} beside the others; so does {@link Placement}. A key that the outer record has, too, is
 * the outer one's.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Group {
    /** Keys of the inner record that this method does not have. */
    String[] without() default {};

    /**
     * The method's word for the biases of the adapted layers, {@code lora_only}; empty where it has no {@code bias}.
     */
    String biasWord() default "";
}
