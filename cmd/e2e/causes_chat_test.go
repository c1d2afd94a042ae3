package e2e

// chatStages are the servers on which what concerns the chat and its storage
// goes wrong.
func chatStages() []stage { return []stage{talkStage(), slowStage()} }

// chatAlertsToCome have no line yet.
func chatAlertsToCome() []string {
	return []string{
		"LowActiveUsers", "MessagesFew", "RegistrationsFew", "ConnectionsUnusual",

		"CardinalityCapReached", "NotificationsFailing", "SubnetUnreachable",
	}
}
