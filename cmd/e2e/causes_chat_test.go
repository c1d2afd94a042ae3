package e2e

// chatStages are the servers on which what concerns the chat and its storage
// goes wrong.
func chatStages() []stage { return []stage{talkStage(), slowStage(), pastStage(), watchStage()} }
