package e2e

// chatStages are the servers on which what concerns the chat and its storage
// goes wrong.
func chatStages() []stage { return nil }

// chatAlertsToCome have no line yet.
func chatAlertsToCome() []string {
	return []string{
		"HighErrorRate", "SlowAPIResponse", "HighAPILoad", "AuthFailuresBurst",
		"LowActiveUsers", "MessagesFew", "RegistrationsFew", "ConnectionsUnusual",
		"HighDeliveryLatency", "MessageDeliveryDelayed", "LowArrivalRate", "ConnectionsDropped",
		"StorageWriterSaturated", "StorageSlowOperations", "StorageReadOnly", "CacheMemoryHigh", "DatabaseInsertFailed",
		"CardinalityCapReached", "NotificationsFailing", "SubnetUnreachable",
	}
}
