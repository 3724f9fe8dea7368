package org.btcecds.fhirserver;

import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.subscription.match.deliver.email.IEmailSender;
import org.hl7.fhir.dstu2.model.Subscription.SubscriptionChannelType;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** How the server behaves where HAPI leaves a choice: what tests need, not what a hospital does. */
@Configuration
public class Behaviour {
    private static final long HAND_ON_EVERY_MS = 250;

    /** Ids as the client gives them, references to what is not here, every search made anew. */
    @Bean
    JpaStorageSettings storageSettings() {
        JpaStorageSettings settings = new JpaStorageSettings();
        settings.setResourceClientIdStrategy(JpaStorageSettings.ClientIdStrategyEnum.ANY);
        settings.setResourceServerIdStrategy(JpaStorageSettings.IdStrategyEnum.UUID);
        settings.setAllowExternalReferences(true);
        settings.setEnforceReferentialIntegrityOnWrite(false);
        settings.setEnforceReferentialIntegrityOnDelete(false);
        settings.setReuseCachedSearchResultsForMillis(null);
        return settings;
    }

    /** Rest-hook only; committed changes are handed on four times a second, not every few seconds. */
    @Bean
    SubscriptionSettings subscriptionSettings() {
        SubscriptionSettings settings = new SubscriptionSettings();
        settings.addSupportedSubscriptionType(SubscriptionChannelType.RESTHOOK);
        settings.setSubscriptionIntervalInMs(HAND_ON_EVERY_MS);
        return settings;
    }

    /** No mail: subscriptions by mail are not offered. */
    @Bean
    IEmailSender emailSender() {
        return message -> {
            throw new UnsupportedOperationException("no mail");
        };
    }
}
