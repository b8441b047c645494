package io.peft4j.core.peft.config;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The method's id, {@code peft_type} in {@code adapter_config.json}, of a configuration record. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface PeftType {
    /** For instance {@code LORA}. */
    String value();

    /** {@link PeftConfig#autoRateFactor}, where it is the same for all configurations; default 1. */
    double autoRateFactor() default 1;
}
